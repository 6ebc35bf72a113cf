// Which kind of collection a path holds.
import { holdsRecords, type ImageCollection, type OpenCollection } from './image-collection.js';
import { FolderImages } from './image-folder.js';
import { RecordImages } from './record-images.js';

/** Opens a record file, a folder that holds train.rec, or a folder with one folder of images a person. */
export function openCollection(path: string, options: OpenCollection = {}): Promise<ImageCollection> {
  return holdsRecords(path) ? RecordImages.open(path, options) : FolderImages.open(path, options);
}
