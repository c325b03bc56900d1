"""Cards of judges: what evaluators and classifiers of actions make of changed motion."""
