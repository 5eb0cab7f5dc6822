"""Home Assistant: discovery, entities, what is shared and the events of a mood."""
