package web

// Paths returns the paths of all routes.
func Paths() []string {
	var paths []string
	for _, r := range (&handler{Options: Options{Metrics: true}}).table() {
		if r.known() {
			paths = append(paths, r.path)
		}
	}
	return paths
}
