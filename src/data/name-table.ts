// Millions of short names in little memory: their bytes one behind the other, and where each begins. A string of its
// own would take several times as much.

/** Names by number, in the order in which they were added. */
export class NameTable {
  #bytes = Buffer.alloc(1 << 12);
  #starts = new Float64Array(1 << 8);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  add(name: string): void {
    const from = this.#starts[this.#count]!;
    const end = from + Buffer.byteLength(name);
    if (end > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], Math.ceil(Math.max(end, 1.5 * this.#bytes.length)));
    if (this.#count + 2 > this.#starts.length) {
      const starts = new Float64Array(Math.ceil(1.5 * this.#starts.length));
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#bytes.write(name, from);
    this.#starts[++this.#count] = end;
  }

  at(i: number): string {
    if (i < 0 || i >= this.#count) throw new RangeError(`there is no name ${i} among ${this.#count}`);
    return this.#bytes.toString('utf8', this.#starts[i], this.#starts[i + 1]);
  }
}
