// An imported network as an ONNX model with its manifest: how its images were prepared when it was trained is not in
// a weight file, so it is what the network's authors published unless it is said otherwise.
import { basename } from 'node:path';
import { nameOf } from '../../graph/index.js';
import { lowerInference } from '../../lower/index.js';
import { templateLabel, templateNamed } from '../align/template.js';
import { type Manifest, manifestMetadata } from '../models/manifest.js';
import { buildDesign, type ImportedWeights } from './import.js';

/** What a manifest says that the weights do not. */
export interface ExportOptions {
  name?: string;
  /** A template's name; default the one of the input's size. */
  template?: string;
  order?: Manifest['input']['order'];
  mean?: Manifest['input']['mean'];
  scale?: Manifest['input']['scale'];
  flip?: Manifest['flip'];
  trainedOn?: string;
  licence?: string;
}

const OUTPUT = 'embedding';

/** How the published networks prepare their images, by the beginning of their names. */
const published: readonly { nets: RegExp; order: Manifest['input']['order'] }[] = [
  // Caffe reads BGR (SphereFace, CVPR 2017, train/code/sphereface_model.prototxt: mean 127.5, scale 1/128).
  { nets: /^sphereface/, order: 'bgr' },
  // MobileFaceNets (CCBR 2018, section 4.1): RGB, minus 127.5, divided by 128.
  { nets: /^mobilefacenet$/, order: 'rgb' },
];

/** The template of aligned faces by their size. */
const templatesBySize: Readonly<Record<string, string>> = {
  '112x96': 'sphereface-112x96',
  '112x112': 'arcface-112',
};

/** The manifest of an imported network. Throws a `UserError` for a template that does not exist. */
export function importedManifest(imported: ImportedWeights, options: ExportOptions = {}): Manifest {
  const { net, size, embedding, file, format } = imported;
  const [height, width] = size;
  const template = options.template ?? templatesBySize[size.join('x')];
  return {
    format: 'hypersphere-model/1',
    name: options.name ?? net,
    input: {
      ...{ name: 'images', width, height, mean: options.mean ?? 127.5, scale: options.scale ?? 1 / 128 },
      order: options.order ?? published.find(({ nets }) => nets.test(net))!.order,
    },
    crop: 'cover-centre',
    template: template === undefined ? 'not stated' : templateLabel(templateNamed(template)),
    flip: options.flip ?? 'concatenate',
    embedding: { length: embedding, output: OUTPUT },
    metric: 'cosine',
    trainedOn: options.trainedOn ?? 'not stated',
    licence: options.licence ?? 'not stated',
    imported: { from: basename(file), format },
  };
}

/** The network with its weights as ONNX bytes that carry `manifest`. */
export function exportImported(imported: ImportedWeights, manifest: Manifest): Uint8Array {
  const { net, size, embedding, weights } = imported;
  const network = buildDesign(net, { size, embedding, folded: true });
  if (nameOf(network.images) !== manifest.input.name) throw new Error('the manifest is of another network');
  return lowerInference({
    inputs: [network.images],
    outputs: { [manifest.embedding.output]: network.embedding },
    weights,
    metadata: manifestMetadata(manifest),
  });
}
