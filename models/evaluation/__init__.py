"""How well a network reads people it never saw: scores, evidence, reports."""
