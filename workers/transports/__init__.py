"""The seam to the broker (`base`) and its implementations; `open` picks one by address."""
