const NAME = 'voltgraph:project';

/** The project that was used last in this browser; `local`, as on the command line, at first. */
export function defaultProject(): string {
  try {
    return localStorage.getItem(NAME) ?? 'local';
  } catch {
    return 'local';
  }
}

/** Keep a project as the one used last. */
export function keepProject(projectId: string): void {
  try {
    localStorage.setItem(NAME, projectId);
  } catch {
    // A browser that keeps nothing begins with `local` again.
  }
}
