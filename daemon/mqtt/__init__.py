"""The MQTT contract: topics, documents, commands, codec, and the one link to a broker."""
