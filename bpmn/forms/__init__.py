"""Forms: Camunda Forms (`.form`) and `camunda:formData`, as one schema that is checked on the server."""

from bpmn.forms.field import Field, FieldType, Option
from bpmn.forms.form import Form
from bpmn.forms.generated import parse_form_data
from bpmn.forms.reading import line_of, parse_form

__all__ = ["Field", "FieldType", "Form", "Option", "line_of", "parse_form", "parse_form_data"]
