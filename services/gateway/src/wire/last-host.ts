/** Hosts in lower case. The next request of a connection mostly has the host of the last one. */
export class LastHost {
  private received = '';
  private lower = '';

  toLower(host: string): string {
    if (host !== this.received) {
      this.received = host;
      this.lower = host.toLowerCase();
    }
    return this.lower;
  }
}
