"""Where rows come from: each kind of source as pieces, and each piece as typed rows."""
