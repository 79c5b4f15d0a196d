from edge_digits.cli import main
import sys
sys.exit(main())
