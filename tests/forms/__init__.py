"""Writers of every form of motion files, one module a form: tests find them by the form's name."""
