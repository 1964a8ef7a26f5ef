// Where the package lies: its own files, package.json and scenarios.

/** dist/src/cli/package.js, and every file of dist/lib, is three folders below the package. */
export const PACKAGE = new URL('../../../', import.meta.url)
