// How often something changed that others have remembered: one number that all share whose changes matter, so that who
// remembers asks once. It says nothing of what changed.

export class ChangeCount {
  value = 0
}
