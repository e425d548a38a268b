import { SOCK_CLOEXEC, SOCK_DGRAM } from './abi.ts';
import { check, libc, memory } from './libc.ts';

const AF_UNIX = 1;
/** sizeof(sockaddr_un.sun_path), linux/un.h. */
const PATH_BYTES = 108;

/**
 * What sd_notify(3) does: one datagram to the socket of the service manager.
 * @param socket NOTIFY_SOCKET: an absolute path, or a name of the abstract namespace behind `@`
 * @param state lines such as `READY=1`
 * @throws RangeError for a name that is no such socket, SystemCallError when it cannot be sent
 */
export function notifyServiceManager(socket: string, state: string): void {
  const c = libc();
  const address = unixAddress(socket);
  const fd = check(c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', socket);
  try {
    const text = Buffer.from(state);
    check(c.sendto(fd, text, text.length, 0, address, address.length), 'sendto', socket);
  } finally {
    c.close(fd);
  }
}

/** struct sockaddr_un, as long as its name: in the abstract namespace zeros behind a name would belong to it. */
function unixAddress(socket: string): Buffer {
  const name = Buffer.from(socket);
  const isAbstract = name[0] === 0x40;
  if ((!isAbstract && name[0] !== 0x2f) || name.length >= PATH_BYTES || name.includes(0))
    throw new RangeError(`Cannot notify "${socket}": neither an absolute path nor an abstract name`);
  const address = memory(2 + name.length + (isAbstract ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  if (isAbstract) address[2] = 0;
  return address;
}
