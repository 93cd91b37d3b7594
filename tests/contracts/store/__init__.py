"""What every store promises, held against each of them."""
