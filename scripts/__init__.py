"""What the Makefile runs besides the product: finding or starting servers, checking the tree."""
