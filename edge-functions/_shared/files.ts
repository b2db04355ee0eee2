/** A stored file, as SQL tells of it to those who may see it. */
export interface StoredFile {
  attachment_id: string
  provider: 'cloudinary' | 'supabase'
  /** Where it lies: the public id at Cloudinary, the name in the bucket. */
  public_id: string
  resource_type: 'image' | 'video' | 'raw'
  file_name: string
  /** As long as nobody has looked at what arrived: what was announced. */
  mime_type: string
  size_bytes: number
}

/** What arrived of an announced file. */
export interface Arrived {
  mimeType: string
  size: number
}
