import { comparableHost } from '@usher/http1';

/** Hosts in the form that routes are found by. The next request of a connection mostly has the host of the last one. */
export class LastHost {
  private received = '';
  private comparable = '';

  toComparable(host: string): string {
    if (host !== this.received) {
      this.received = host;
      this.comparable = comparableHost(host);
    }
    return this.comparable;
  }
}
