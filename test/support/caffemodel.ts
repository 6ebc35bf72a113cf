// Writes .caffemodel files byte by byte (the Protocol Buffers encoding), to test their reader against another way.

/** A number in groups of seven bits, least first. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** The head of a field: its number and how its value is written. */
export const field = (number: number, wire: number): number[] => varint(number * 8 + wire);

/** A field of bytes. */
export function message(number: number, bytes: Iterable<number> & { length: number }): number[] {
  return [...field(number, 2), ...varint(bytes.length), ...bytes];
}

export const floats = (values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

export interface CaffeBlob {
  shape: readonly number[];
  data: readonly number[] | Float32Array;
}

/** A network of the second generation. */
export function caffemodel(
  layers: readonly { name: string; type: string; blobs: readonly CaffeBlob[] }[],
): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(message(1, Buffer.from('network')))];
  for (const { name, type, blobs } of layers) {
    const written = blobs.map(({ shape, data }) => {
      const numbers = floats(Array.from(data));
      const head = [
        ...message(7, message(1, shape.flatMap(varint))),
        ...field(5, 2),
        ...varint(numbers.length),
      ];
      const length = head.length + numbers.length;
      return Buffer.concat([Uint8Array.from([...field(7, 2), ...varint(length), ...head]), numbers]);
    });
    const head = Uint8Array.from([...message(1, Buffer.from(name)), ...message(2, Buffer.from(type))]);
    const body = Buffer.concat([head, ...written]);
    parts.push(Uint8Array.from([...field(100, 2), ...varint(body.length)]), body);
  }
  return Buffer.concat(parts);
}
