import { open } from 'node:fs/promises';

/** The content of a file in memory that threads can share. Rejects with why it cannot be read. */
export async function readShared(path: string): Promise<SharedArrayBuffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const content = new SharedArrayBuffer(size);
    const bytes = Buffer.from(content);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, size - at, at);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      at += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}
