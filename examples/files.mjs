import { signUp, url } from './people.mjs'

const ana = await signUp('Ana')
const ben = await signUp('Ben')
const { data: room } = await ana.client.rpc('start_direct_chat', { p_user_id: ben.id }).throwOnError()
const menu = new Blob(['Soup, then fish.'], { type: 'text/plain' })

/** Calls the function `attachments`. */
async function attachments(client, path, body) {
  const { data, error } = await client.functions.invoke(`attachments${path}`, { body })
  // What was refused, and why, is in the answer.
  if (error) throw new Error(error.context instanceof Response ? await error.context.text() : error.message)
  return data
}

// In Ana's app: announce the file
const files = [{ file_name: 'menu.txt', mime_type: menu.type, size_bytes: menu.size }]
const { uploads } = await attachments(ana.client, '', { room_id: room.id, files })
const [upload] = uploads

// Upload it, straight to where it is kept
const form = new FormData()
for (const [name, value] of Object.entries(upload.fields)) form.append(name, value)
form.append('file', menu, upload.file_name)
const posted = await fetch(upload.upload_url, { method: 'POST', body: form })
if (!posted.ok) throw new Error(await posted.text())

// Say that it is there, which has it looked at, and send it
const ids = [upload.attachment_id]
await attachments(ana.client, '/complete', { attachment_ids: ids })
await ana.client.rpc('send_message', { p_room_id: room.id, p_attachment_ids: ids }).throwOnError()

// In Ben's app: a link to what came
const { data: messages } = await ben.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
const [file] = messages[0].attachments
const { urls } = await attachments(ben.client, '/sign', { attachment_ids: [file.id] })
console.log(`${file.file_name}: ${await (await fetch(urls[0].url)).text()}`)

// With a plain PUT, into Supabase Storage, for a chat that is named only when it is sent
const { upload_url, file_key } = await attachments(ana.client, '/generate-upload-url', {
  filename: 'wine list.txt',
  filetype: menu.type,
})
await fetch(upload_url, { method: 'PUT', headers: { 'content-type': menu.type }, body: 'Red or white.' })
const [, stored] = file_key.split('/')
await attachments(ana.client, '/complete', { attachment_ids: [stored] })
await ana.client.rpc('send_message', { p_room_id: room.id, p_attachment_ids: [stored] }).throwOnError()

// All files of the chat, as a ZIP
const { data } = await ben.client.auth.getSession()
const archive = await fetch(`${url}/functions/v1/attachments/archive?room_id=${room.id}`, {
  headers: { authorization: `Bearer ${data.session.access_token}` },
})
console.log(`An archive of both: ${(await archive.blob()).type}`)
