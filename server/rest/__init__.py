"""Sessions over HTTP, and the pages that come with them."""
