"""A look through the content of a site: pages, style sheets, feeds, and where their links lead.

Pure: names and bytes go in, findings come out. What one file says (`facts`) depends on its bytes alone, so it
is found out once in a file's life; what the files say together (`together`) depends on all their names.
"""
