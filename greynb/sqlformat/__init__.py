"""Laying out SQL: the tokens and comments stay what they are, the white space between them is made anew.

sqlglot and sqlfmt were tried first. sqlglot writes another statement than it read (it loses ``STRICT``, turns
``INTEGER PRIMARY KEY`` into ``INT PRIMARY KEY``, ``:name`` into ``$name``); sqlfmt lowers the case of names,
which are the columns of the DataFrame, splits ``e'…'``, and leaves everything but queries as it is.
"""
