"""What people write of music: playlists, feeds, addresses and moods, in whatever form it comes."""
