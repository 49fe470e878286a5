import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether a process has the connection that goes out from this port of 127.0.0.1. On Linux. */
export function ownsPort(pid: number, port: number): boolean {
  const inode = inodeOf(port);
  if (inode === undefined) return false;
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => linkOf(`${directory}/${fd}`) === `socket:[${inode}]`);
}

function inodeOf(port: number): string | undefined {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === local) return columns[9];
  }
  return undefined;
}

/** Files come and go while one looks. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
