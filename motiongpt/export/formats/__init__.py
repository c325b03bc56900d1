"""One kind of file, one module; see `motiongpt.export.base`."""
