/**
 * Numbers of the Linux ABI that more than one file of ours speaks; x86-64 and arm64 agree on all of them. What only one file
 * needs stands there. Sources: linux/net.h, linux/in.h, linux/tcp.h, asm-generic/socket.h, asm-generic/fcntl.h, linux/eventfd.h,
 * linux/sched.h.
 */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const TCP_INFO = 11;
export const SO_ERROR = 4;
export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;
export const O_CLOEXEC = 0o2000000;
export const SCHED_RR = 2;
export const SCHED_RESET_ON_FORK = 0x40000000;
