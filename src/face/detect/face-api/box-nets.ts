// The networks that find boxes, as one table, and how photographs of any shape go through them: resized to each of
// several lengths, those of like shape together, and every face counted once however often it was found.
import { cached } from '../../../common/cache.js';
import type { Photograph } from '../../../data/index.js';
import type { Device, InferenceModel } from '../../../runtime/index.js';
import { faceApiVersion } from '../../models/face-api-weights.js';
import { suppress } from '../boxes.js';
import type { Box, Detection } from '../detection.js';
import { type Pixels, resample } from './resample.js';
import { type Candidates, decodeHead, SSD_HEADS, SSD_PIXELS, SSD_SIZE, ssdModel } from './ssd.js';
import { decodeCells, TINY_PIXELS, TINY_SIZE, tinyModel } from './tiny.js';

/** A network, and the length of a photograph's longer side that it sees. */
export interface Look {
  readonly size: number;
  readonly model: InferenceModel;
}

type Outputs = Record<string, { data: Float32Array; shape: number[] }>;

/** How a network's input is made and its output read. */
export interface BoxNet {
  /** Lengths unless others are asked for. */
  readonly sizes: readonly number[];
  readonly pixels: Pixels;
  /** Rows and columns of zeros behind each image. */
  readonly behind: 0 | 1;
  /** Whether the image need not be square, so that a photograph is padded to the next multiple only. */
  readonly oblong: boolean;
  /** Boxes that overlap by more are one face. */
  readonly overlap: number;
  open(device: Device, sizes: readonly number[]): Promise<Look[]>;
  /** Adds what is said of image `image` of a batch, in pixels of the network's input. */
  decode(outputs: Outputs, image: number, threshold: number, found: Candidates): void;
}

/** Changes when a graph does. */
const GRAPHS = 1;
/** The name under which the graph of a network is cached. */
export const graphName = (net: string): string => `face-api-${faceApiVersion()}-${net}-${GRAPHS}.onnx`;

/** Lengths of images are rounded up to a multiple of this. */
export const MULTIPLE = 32;
/** Pixels in one run: four images of SSD's own size. */
const RUN = 4 * SSD_SIZE ** 2;

export const boxNets: Readonly<Record<'ssd' | 'tiny', BoxNet>> = {
  ssd: {
    sizes: [SSD_SIZE, SSD_SIZE / 2],
    pixels: SSD_PIXELS,
    behind: 1,
    oblong: true,
    overlap: 0.5,
    async open(device, sizes) {
      const model = await device.load(
        cached(graphName('ssd'), () => ssdModel()),
        'face-api ssd',
      );
      return sizes.map((size) => ({ size, model }));
    },
    decode: (outputs, image, threshold, found) =>
      SSD_HEADS.forEach((_, i) => {
        decodeHead(i, outputs[`head${i}`]!, image, threshold, found);
      }),
  },
  tiny: {
    sizes: [TINY_SIZE, 224],
    pixels: TINY_PIXELS,
    behind: 0,
    oblong: false,
    overlap: 0.4,
    open: (device, sizes) =>
      Promise.all(
        sizes.map(async (size) => {
          const bytes = cached(graphName(`tiny-${size}`), () => tinyModel(size));
          return { size, model: await device.load(bytes, 'face-api tiny') };
        }),
      ),
    decode: ({ cells }, image, threshold, found) => decodeCells(cells!, image, threshold, found),
  },
};

/** The boxes of every photograph, in its pixels and clipped at its edges, best score first. */
export async function findBoxes(
  net: BoxNet,
  looks: readonly Look[],
  threshold: number,
  photographs: readonly Photograph[],
): Promise<Pick<Detection, 'box' | 'score'>[][]> {
  const found = photographs.map((): Candidates => ({ boxes: [], scores: [] }));
  for (const look of looks) await lookAt(net, look, threshold, photographs, found);
  return found.map(({ boxes, scores }, i) =>
    suppress(boxes, scores, net.overlap).flatMap((k) => {
      const box = clipped(boxes[k]!, photographs[i]!);
      return box.width > 0 && box.height > 0 ? [{ box, score: scores[k]! }] : [];
    }),
  );
}

/** Adds what one network says of every photograph, in the photograph's pixels. */
async function lookAt(
  net: BoxNet,
  { size, model }: Look,
  threshold: number,
  photographs: readonly Photograph[],
  found: readonly Candidates[],
): Promise<void> {
  for (const { width, height, members } of byShape(net, size, photographs)) {
    const batch = Math.max(1, Math.floor(RUN / (width * height)));
    for (let start = 0; start < members.length; start += batch) {
      const some = members.slice(start, start + batch);
      const [rowStride, rows] = [width + net.behind, height + net.behind];
      const planeStride = rowStride * rows;
      const data = new Float32Array(some.length * 3 * planeStride);
      some.forEach((i, k) => {
        const photograph = photographs[i]!;
        const side = Math.max(photograph.width, photograph.height);
        const region = { x: 0, y: 0, width: photograph.width, height: photograph.height };
        const offset = k * 3 * planeStride;
        const planes = { data, offset, width, height, rowStride, planeStride };
        resample(photograph, region, { x: 0, y: 0, step: side / size, side }, net.pixels, planes);
      });
      const outputs = await model.run({ x: { data, shape: [some.length, 3, rows, rowStride] } });
      some.forEach((i, k) => {
        const here: Candidates = { boxes: [], scores: [] };
        net.decode(outputs as Outputs, k, threshold, here);
        const scale = Math.max(photographs[i]!.width, photographs[i]!.height) / size;
        found[i]!.scores.push(...here.scores);
        for (const { x, y, width, height } of here.boxes)
          found[i]!.boxes.push({
            x: x * scale,
            y: y * scale,
            width: width * scale,
            height: height * scale,
          });
      });
    }
  }
}

/** The shapes of the network's input, each with the indices of the photographs that have it. */
function byShape(net: BoxNet, size: number, photographs: readonly Photograph[]) {
  const shapes = new Map<string, { width: number; height: number; members: number[] }>();
  photographs.forEach((photograph, i) => {
    const side = Math.max(photograph.width, photograph.height);
    const rounded = (length: number): number =>
      net.oblong ? Math.ceil((length / side) * (size / MULTIPLE)) * MULTIPLE : size;
    const [width, height] = [rounded(photograph.width), rounded(photograph.height)];
    const shape = shapes.get(`${width}x${height}`) ?? { width, height, members: [] };
    shapes.set(`${width}x${height}`, shape);
    shape.members.push(i);
  });
  return shapes.values();
}

function clipped(box: Box, { width, height }: Photograph): Box {
  const [x, y] = [Math.max(0, box.x), Math.max(0, box.y)];
  const right = Math.min(width, box.x + box.width);
  const bottom = Math.min(height, box.y + box.height);
  return { x, y, width: right - x, height: bottom - y };
}
