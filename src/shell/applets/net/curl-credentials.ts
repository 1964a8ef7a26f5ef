// Credentials as HTTP's headers have them (RFC 7617).

/** `user:password`. */
export function basicCredentials(user: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(user)))}`
}
