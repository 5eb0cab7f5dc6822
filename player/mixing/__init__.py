"""Sample-exact mixing: channels, fades, limiter, announcements."""
