"""Reading what moves: numbers voted over the frames of a camera, stream or recording until they are settled."""
