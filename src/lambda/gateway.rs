//! What an HTTP API of API Gateway says of a request besides the request itself: who makes it, and from where
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use axum::{Router, extract::Request, middleware::map_request};
use lambda_http::{RequestExt, aws_lambda_events::apigw::ApiGatewayRequestAuthorizer, request::RequestContext};

use super::preferences::NetworkAddress;
use crate::domain::actor::Actor;

/// Routes that are told whom they answer.
pub fn behind(routes: Router) -> Router {
    routes.layer(map_request(introduce))
}

/// By the gateway's word alone: what a header says is not looked at.
async fn introduce(mut request: Request) -> Request {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return request };
    let address = context.http.source_ip.clone();
    let actor = context.authorizer.as_ref().and_then(actor);
    if let Some(address) = address {
        request.extensions_mut().insert(NetworkAddress(address));
    }
    if let Some(actor) = actor {
        request.extensions_mut().insert(actor);
    }
    request
}

/// The principal that signed the request (IAM), or whom the bearer token is about (RFC 7519, section 4.1.2).
fn actor(authorizer: &ApiGatewayRequestAuthorizer) -> Option<Actor> {
    let principal = authorizer.iam.as_ref().and_then(|iam| iam.user_arn.as_deref());
    let subject = || authorizer.jwt.as_ref()?.claims.get("sub").map(String::as_str);
    principal.map(Actor::principal).or_else(|| subject().map(Actor::subject))
}
