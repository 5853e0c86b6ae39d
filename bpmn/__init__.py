"""From a drawing to something that runs exactly as drawn (BPMN, DMN, forms)."""
