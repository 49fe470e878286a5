import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether a process has the connection from one port of 127.0.0.1 to another. On Linux. */
export function ownsConnection(pid: number, fromPort: number, toPort: number): boolean {
  const inode = inodeOf(fromPort, toPort);
  const directory = `/proc/${pid}/fd`;
  return filesIn(directory).some((fd) => linkOf(`${directory}/${fd}`) === `socket:[${inode}]`);
}

function inodeOf(fromPort: number, toPort: number): string | undefined {
  const [from, to] = [fromPort, toPort].map(
    (port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  // The table has thousands of rows, of those that have ended too, and each new connection waits for this.
  const table = readFileSync('/proc/net/tcp', 'latin1');
  const start = table.indexOf(` ${from} ${to} `);
  return start < 0 ? undefined : table.slice(start, table.indexOf('\n', start)).trim().split(/\s+/)[8];
}

/** None when the process has ended. */
function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Files come and go while one looks. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
