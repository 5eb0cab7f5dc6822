"""The live page: documents of the MQTT contract in, a page that anybody can read out."""
