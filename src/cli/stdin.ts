import { fstatSync, read as readFile } from 'node:fs';
import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from 'node:net';
import { promisify } from 'node:util';
import type { OpenFile } from '../wire/io.ts';
import { fileOf } from '../wire/open-file.ts';

/** What a pipe holds on Linux, unless somebody has asked for more. */
const pipeBytes = 64 * 1024;
const readAsync = promisify(readFile);

/**
 * Octets of stdin, into memory that is used again: read as a stream, each piece has memory of its own, and of gigabytes that is hundreds
 * of megabytes before it is collected.
 */
export function openStdin({ stdin }: Pick<NodeJS.Process, 'stdin'>, fd = 0): OpenFile {
  const kind = kindOf(fd);
  if (kind === 'pipe') return openPipe(fd);
  if (kind === 'file')
    return {
      read: async (memory) => (await readAsync(fd, memory, 0, memory.length, null)).bytesRead,
      close: () => Promise.resolve(),
    };
  return fileOf(stdin);
}

function kindOf(fd: number): 'file' | 'pipe' | 'other' {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() ? 'file' : stat.isFIFO() || stat.isSocket() ? 'pipe' : 'other';
  } catch {
    // It is closed: Node reads nothing from it.
    return 'other';
  }
}

/** A pipe or a socket. It is read while somebody waits for it, and else fills up: who writes then waits. */
function openPipe(fd: number): OpenFile {
  const buffer = Buffer.allocUnsafeSlow(pipeBytes);
  let [at, end] = [0, 0];
  let isOver = false;
  let failure: Error | null = null;
  let wake = () => {};
  // A socket takes it from its constructor as it does from connect, of which alone the types know.
  const options: SocketConstructorOpts & Pick<TcpSocketConnectOpts, 'onread'> = {
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (octets) => {
        [at, end] = [0, octets];
        wake();
        return false;
      },
    },
  };
  const socket = new Socket(options);
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  return {
    read: async (memory) => {
      if (at === end && !isOver && !failure)
        await new Promise<void>((done) => {
          wake = done;
          socket.resume();
        });
      if (at === end && failure) throw failure;
      const size = buffer.copy(memory, 0, at, end);
      at += size;
      return size;
    },
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}
