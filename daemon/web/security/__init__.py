"""Who may open the page: token, guard, access."""
