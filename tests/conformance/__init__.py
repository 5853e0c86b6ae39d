"""What BPMN means, case by case: pages of diagrams with their traces, and what plays them."""
