"""What each route does. One module for each kind of thing that Graph has."""
