"""Where the stages of a plan are run: one launcher, one file and one yaml of conf/launcher."""
