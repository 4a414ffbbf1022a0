"""Values of the house: frozen, compared by content, free of I/O. Imports only itself."""
