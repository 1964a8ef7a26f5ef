// Why bytes from a wire were not taken. Parsing never throws: it gives one of these, and who dropped the packet
// counts it.

export type DropReason =
  /** Fewer bytes than the header, or than the header says. */
  | 'truncated'
  | 'bad-checksum'
  | 'bad-version'
  | 'bad-header-length'
  /** A length field that contradicts the header. */
  | 'bad-length'
  /** An ARP packet for other than Ethernet and IPv4. */
  | 'bad-format'
