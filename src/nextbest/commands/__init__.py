"""What dbb's subcommands read and print, where no room of its own does it already."""
