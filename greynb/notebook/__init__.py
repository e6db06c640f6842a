"""The cells: magics, their results and their errors. The only place that knows IPython."""
