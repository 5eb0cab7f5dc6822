"""From whatever arrives to chunks in one monotone time: feed, timeline, arrival."""
