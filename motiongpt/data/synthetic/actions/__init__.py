"""The actions, one file each; `motiongpt.data.synthetic.action.discover` finds them."""
