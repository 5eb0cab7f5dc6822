"""Where the sound goes: device, WAV, FIFO, nowhere."""
