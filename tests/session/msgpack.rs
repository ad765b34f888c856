//! Conversations in MessagePack over WebSocket.

mod hostile;
mod master;
mod recording;
mod replay;
mod requests;
