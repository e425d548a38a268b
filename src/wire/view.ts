let of: Uint8Array = new Uint8Array(0);
let view = new DataView(of.buffer);

/**
 * A view of the same octets, made once for as long as one asks for the same: several octets are read at once by it, where reading them one
 * by one checks for each that it is there.
 */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== of) {
    of = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}
