"""Where pictures come from: image files, documents, cameras. Makes Frames."""
